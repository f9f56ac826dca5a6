# shellcheck shell=bash
# What no image may hold. clean.sh removes it, and looks for it again.
# shellcheck disable=SC2034
GONE=(
  # Who may log in, and as whom this machine speaks.
  '/root/.ssh/*' '/home/*/.ssh/*' '/etc/ssh/ssh_host_*'
  # Credentials, and what was typed.
  '/root/.aws' '/home/*/.aws' '/root/.netrc' '/home/*/.netrc'
  '/root/.*_history' '/home/*/.*_history' '/root/.lesshst' '/home/*/.lesshst' '/root/.gnupg' '/home/*/.gnupg'
  # Which instance this was: with it a new one would skip its first boot.
  '/var/lib/cloud/*' '/var/lib/dbus/machine-id' '/var/lib/amazon/ssm/i-*'
  '/var/lib/systemd/random-seed' '/var/lib/systemd/credential.secret' '/var/lib/dhcp/*'
  # Caches and leftovers.
  '/var/cache/apt/*.bin' '/var/cache/apt/archives/*.deb' '/var/lib/apt/lists/*_*' '/var/cache/dnf/*'
  '/root/.cache' '/home/*/.cache' '/var/crash/*' '/tmp/*' '/var/tmp/*'
)
