#!/usr/bin/env bash
# The worker: its own virtual environment from locked, hashed wheels, and its units. May run twice.
set -euo pipefail
# shellcheck source=packer/scripts/lib.sh
. "$(dirname "$0")/lib.sh"
needs OFFLINE_WHEELS WORKER_VERSION

find_python() { # the newest that the image may have, and that the project supports
  local python
  for python in python3.13 python3.12 python3.11 python3; do
    if command -v "$python" >/dev/null && "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$python"
      return
    fi
  done
}

install_worker() {
  local python wheels=("$WORK"/wheels/s3_event_worker-"$WORKER_VERSION"-*.whl) index=()
  [[ -f ${wheels[0]} ]] || die "no wheel of s3-event-worker $WORKER_VERSION was uploaded"
  python=$(find_python)
  [[ -n $python ]] || die "Python 3.11 or newer with venv is needed; none is in this image"
  [[ $OFFLINE_WHEELS != true ]] || index=(--no-index --find-links "$WORK/wheels")
  say "$("$python" --version) -> $HOME_OF_WORKER"
  rm -rf "$HOME_OF_WORKER"
  "$python" -m venv "$HOME_OF_WORKER"
  local pip=("$HOME_OF_WORKER/bin/python" -m pip --isolated --disable-pip-version-check --no-input -q)
  # Only wheels, and only those whose hash the lock knows: nothing is built, nothing is swapped.
  "${pip[@]}" install --no-cache-dir --only-binary :all: --require-hashes "${index[@]}" -r "$WORK/requirements.lock"
  "${pip[@]}" install --no-cache-dir --no-index --no-deps "${wheels[0]}"
}

install_units() {
  local from=$WORK/systemd unit
  for unit in "$UNIT" "$FAILED_UNIT" "$LOG_UNIT"; do
    install -D -m 0644 "$from/$unit" "/etc/systemd/system/$unit"
  done
  install -D -m 0644 "$from/journald-s3-event-worker.conf" /etc/systemd/journald.conf.d/s3-event-worker.conf
  install -D -m 0644 "$from/cloudwatch-agent-s3-event-worker.conf" \
    /etc/systemd/system/amazon-cloudwatch-agent.service.d/s3-event-worker.conf
  install -D -m 0640 "$from/worker.env" "$SETTINGS/worker.env"
  install -D -m 0755 "$from/last-resort.sh" "$SHARE/last-resort.sh"
  install -D -m 0644 "$WORK/requirements.lock" "$SHARE/requirements.lock"
  systemctl daemon-reload
  # Enabled, not started: an instance starts it, once its settings are written.
  systemctl -q enable "$UNIT" "$LOG_UNIT"
}

install_worker
install_units
say "s3-event-worker $WORKER_VERSION is installed"
