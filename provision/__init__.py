"""Everything that exists in AWS, made and kept from one stack file.

spec → surroundings → plan → apply → verify:

    spec/         stack.toml → Stack, Names, Blueprint                pure
    core/         what is wanted, what was found → a plan             pure
    resources/    one file a resource family: what is wanted (pure), and its provider (talks to AWS)
    policies/     what each role may do, from what the code calls     pure
    aws/          sessions, retries, waits, what surrounds the stack   talks to AWS
    apply.py      carries a plan out, step by step
    verify.py     is it really so? `canary.py`: a file of our own goes the whole way
    rollout.py    one instance after the other; `group_rollout.py`: there, back, back by itself
    cutover.py    who consumes; `lambda_package.py`: the function's zip
    redrive.py    dead letters back to the queue
    packer.py     a bake; `ami_from_instance.py`: an image without one
    commands/     one file a command: the composition roots
    screen/       tables, plans and progress, for people              prints
"""
