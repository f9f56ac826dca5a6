"""Everything that exists in AWS, made and kept from one stack file.

spec → surroundings → plan → apply → verify:

    spec/         stack.toml → Stack, Names, Blueprint                pure
    core/         what is wanted, what was found → a plan             pure
    resources/    one file a resource family: what is wanted (pure), and its provider (talks to AWS)
    aws/          sessions, retries, waits, what surrounds the stack   talks to AWS
    apply.py      carries a plan out, step by step
    commands/     one file a command: the composition roots
    screen/       tables, plans and progress, for people              prints
"""
