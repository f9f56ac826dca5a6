#!/usr/bin/env bash
# Takes away what belongs to the builder, and fails if anything of it is left. May run twice.
set -euo pipefail
# shellcheck source=packer/scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=packer/scripts/gone.sh
. "$(dirname "$0")/gone.sh"
shopt -s nullglob dotglob

# From here on nothing is written to disk any more: what is still logged goes with the builder.
silence_logs() {
  systemctl -q stop rsyslog.service syslog.socket 2>/dev/null || true
  # It saves a seed when it stops, which is at shutdown otherwise: all instances would share it.
  systemctl -q stop systemd-random-seed.service 2>/dev/null || true
  journalctl -q --relinquish-var 2>/dev/null || true
}

forget_packages() {
  case $FAMILY in
    debian) apt-get -q clean ;;
    amazon) dnf -q clean all ;;
  esac
}

remove() {
  if command -v cloud-init >/dev/null; then cloud-init clean --logs; fi
  # Not "uninitialized": that would apply the distribution's presets, which may disable units.
  : >/etc/machine-id
  local pattern
  for pattern in "${GONE[@]}"; do
    # shellcheck disable=SC2086 # a pattern, to be expanded
    rm -rf -- $pattern
  done
  find /var/log -xdev -type f -delete
}

left_over() { # prints what should be gone; the second half knows nothing of the list above
  local pattern
  for pattern in "${GONE[@]}"; do
    compgen -G "$pattern" || true
  done
  [[ ! -s /etc/machine-id ]] || echo "/etc/machine-id: $(</etc/machine-id)"
  # The agent that a Session Manager connection runs through goes on writing.
  find /var/log -xdev -type f -size +0 ! -path '/var/log/amazon/ssm/*'
  find /root /home /etc /var /opt -xdev -type f -size +0 \
    \( -name authorized_keys -o -name '.*_history' -o -name 'id_rsa*' -o -name 'id_ed25519*' \)
  grep -rlsI -e '-----BEGIN [A-Z ]*PRIVATE KEY-----' /etc /root /home /var/lib || true
}

main() {
  silence_logs
  forget_packages
  remove
  local left
  left=$(left_over)
  [[ -z $left ]] || die "these should be gone: ${left//$'\n'/, }"
  say "nothing of the builder is left"
  sync
}

main
