#!/usr/bin/env bash
# Is this an image that works? Every check runs; any that fails ends the bake. Writes image.json.
set -euo pipefail
# shellcheck source=packer/scripts/lib.sh
. "$(dirname "$0")/lib.sh"
needs GIT_REVISION ONLINE SOURCE_AMI WORKER_VERSION

BIN=$HOME_OF_WORKER/bin
FAILED=()

check() { # check WORDS COMMAND...
  local words=$1 said
  shift
  if said=$("$@" 2>&1); then
    say "ok      $words"
  else
    say "FAILED  $words"
    printf '%s\n' "$said" | sed 's/^/          /'
    FAILED+=("$words")
  fi
}

# systemd-analyze answers 0 on an unknown key, and speaks of other units as well.
units_verify() {
  local said
  said=$(systemd-analyze verify /etc/systemd/system/{"$UNIT","$FAILED_UNIT","$LOG_UNIT"} 2>&1) || true
  ! grep -F s3-event-worker <<<"$said"
}

exposure_is_low() { # exposure_is_low UNIT TENTHS
  local said
  said=$(systemd-analyze security --offline=true --threshold="$2" --no-pager "/etc/systemd/system/$1") && return
  grep -v '✓' <<<"$said"
  return 1
}

# In the service's own sandbox: what systemd forbids it is forbidden here. No AWS is asked.
worker_in_its_sandbox() { # worker_in_its_sandbox STATUS ARGUMENTS...: does it end with STATUS?
  local wanted=$1 trial=s3-event-worker-validate.service
  shift
  {
    sed -E '/^(OnFailure|StartLimit.*|Type|ExecStart|ExecReload|Restart.*|SuccessExitStatus|WatchdogSec)=/d; /^\[Install\]/,$d' \
      "/etc/systemd/system/$UNIT"
    cat <<EOF
[Service]
Type=oneshot
ExecStart=$BIN/worker $*
Environment=QUEUE_URL=http://127.0.0.1:9/123456789012/validate BUCKET=validate REGION=us-east-2
Environment=AWS_ENDPOINT_URL=http://127.0.0.1:9 AWS_EC2_METADATA_DISABLED=true
Environment=AWS_ACCESS_KEY_ID=validate AWS_SECRET_ACCESS_KEY=validate
EOF
  } >"/run/systemd/system/$trial"
  systemctl daemon-reload
  systemctl -q start "$trial" || true
  local status
  status=$(systemctl show -P ExecMainStatus "$trial")
  journalctl -q --no-pager -o cat -n 20 -u "$trial"
  systemctl -q reset-failed "$trial" 2>/dev/null || true
  rm "/run/systemd/system/$trial"
  systemctl daemon-reload
  echo "exit status $status, expected $wanted"
  [[ $status == "$wanted" ]]
}

# In the log copy's own sandbox: what the trials above logged reaches a file, and a stop is clean.
lines_are_copied() {
  local trial=s3-event-worker-validate-log.service file=/var/log/s3-event-worker/validate.log
  {
    sed -E '/^(ExecStart|Restart.*)=/d; /^\[Install\]/,$d' "/etc/systemd/system/$LOG_UNIT"
    cat <<EOF
[Service]
ExecStart=$BIN/python -m worker.host.log_copy $file s3-event-worker-validate.service
EOF
  } >"/run/systemd/system/$trial"
  systemctl daemon-reload
  systemctl -q start "$trial" || true
  local copied='' status tries
  for ((tries = 50; tries > 0; tries--)); do
    copied=$(cat "$file" 2>/dev/null) || true
    [[ -z $copied ]] || break
    sleep 0.2
  done
  systemctl -q stop "$trial"
  status=$(systemctl show -P ExecMainStatus "$trial")
  journalctl -q --no-pager -o cat -n 20 -u "$trial"
  rm -f "$file" "/run/systemd/system/$trial"
  systemctl daemon-reload
  echo "exit status $status, expected 0; copied: ${copied:-nothing}"
  [[ $status == 0 && $copied == *s3-event-worker-validate* ]]
}

updates_are_on_debian() {
  [[ -x /usr/bin/unattended-upgrade && $(apt-config dump APT::Periodic::Unattended-Upgrade) == *'"1"'* ]]
}
updates_are_on_amazon() { [[ -x /usr/bin/dnf-automatic ]]; }
updates_come_daily_debian() { systemctl is-enabled apt-daily-upgrade.timer; }
updates_come_daily_amazon() { systemctl is-enabled dnf-automatic.timer; }

session_manager_is_on() {
  systemctl is-enabled amazon-ssm-agent.service \
    || systemctl is-enabled snap.amazon-ssm-agent.amazon-ssm-agent.service
}

version_is() { [[ $("$BIN/worker" --version) == *" $WORKER_VERSION" ]]; }

check "systemd understands every line of the units" units_verify
check "systemd-analyze security: exposure at most 1.1" exposure_is_low "$UNIT" 11
check "systemd-analyze security: the log copy's at most 0.2" exposure_is_low "$LOG_UNIT" 2
check "the service starts at boot" systemctl is-enabled "$UNIT"
check "the log copy starts at boot" systemctl is-enabled "$LOG_UNIT"
check "worker --version is $WORKER_VERSION" version_is
check "pip check: no dependency is missing" "$BIN/python" -m pip --disable-pip-version-check check
check "what is installed is what the lock says" "$BIN/python" "$WORK/files/inventory.py" "$WORK/requirements.lock" \
  "$SHARE/image.json" "git_revision=$GIT_REVISION" "source_ami=$SOURCE_AMI"
check "worker check --offline, in the service's sandbox" worker_in_its_sandbox 0 check --offline
check "worker run begins, and misses AWS (3), in the service's sandbox" worker_in_its_sandbox 3 run
check "the log reaches its file, in the log copy's sandbox" lines_are_copied
check "security updates install themselves" "updates_are_on_$FAMILY"
if [[ $ONLINE == true ]]; then
  check "security updates come every day" "updates_come_daily_$FAMILY"
  check "the Session Manager agent starts at boot" session_manager_is_on
  check "the CloudWatch agent starts at boot" systemctl is-enabled amazon-cloudwatch-agent.service
fi

((${#FAILED[@]} == 0)) || die "${#FAILED[@]} checks failed; no image is made"
