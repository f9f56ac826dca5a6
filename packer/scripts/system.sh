#!/usr/bin/env bash
# The operating system: updates, Python, the Session Manager and CloudWatch agents. May run twice.
set -euo pipefail
# shellcheck source=packer/scripts/lib.sh
. "$(dirname "$0")/lib.sh"
needs ONLINE

# The agent's packages for Debian and Ubuntu are not in their archives; AWS signs them with this key
# ("Verifying the signature of the CloudWatch agent package").
CLOUDWATCH_PACKAGES=https://amazoncloudwatch-agent.s3.amazonaws.com
CLOUDWATCH_KEY=937616F3450B7D806CBD9725D58167303B789C72
CLOUDWATCH_AGENT=/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl

wait_for_first_boot() {
  command -v cloud-init >/dev/null || return 0
  say "waiting for cloud-init, which installs packages too"
  cloud-init status --wait >/dev/null || say "cloud-init ended with status $?; going on"
}

install_debian() {
  export DEBIAN_FRONTEND=noninteractive
  local apt=(apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold)
  "${apt[@]}" update
  "${apt[@]}" full-upgrade
  "${apt[@]}" install --no-install-recommends ca-certificates curl gpg python3 python3-venv unattended-upgrades
  "${apt[@]}" autoremove
  if command -v snap >/dev/null && ! has_unit snap.amazon-ssm-agent.amazon-ssm-agent.service; then
    snap install amazon-ssm-agent --classic
  fi
  [[ -x $CLOUDWATCH_AGENT ]] || install_signed_cloudwatch_agent
}

install_signed_cloudwatch_agent() {
  local folder package
  folder=$(mktemp -d)
  package=ubuntu/$(dpkg --print-architecture)/latest/amazon-cloudwatch-agent.deb
  curl -fsS --retry 3 -o "$folder/key" "$CLOUDWATCH_PACKAGES/assets/amazon-cloudwatch-agent.gpg"
  curl -fsS --retry 3 -o "$folder/agent.deb" "$CLOUDWATCH_PACKAGES/$package"
  curl -fsS --retry 3 -o "$folder/agent.deb.sig" "$CLOUDWATCH_PACKAGES/$package.sig"
  export GNUPGHOME=$folder
  gpg -q --import "$folder/key"
  gpg --status-fd 1 --verify "$folder/agent.deb.sig" "$folder/agent.deb" 2>/dev/null \
    | grep -q "^\[GNUPG:\] VALIDSIG .*$CLOUDWATCH_KEY" || die "the CloudWatch agent is not signed by AWS's key"
  dpkg -i "$folder/agent.deb"
  rm -rf "$folder"
}

install_amazon() {
  # Its repositories are frozen at the image's release unless told otherwise: no updates at all.
  echo latest >/etc/dnf/vars/releasever
  dnf -q -y upgrade --refresh
  dnf -q -y install amazon-cloudwatch-agent amazon-ssm-agent dnf-automatic python3.12
}

update_by_itself_debian() {
  install -D -m 0644 "$WORK/files/52s3-event-worker" /etc/apt/apt.conf.d/52s3-event-worker
}

update_by_itself_amazon() {
  install -D -m 0644 "$WORK/files/automatic.conf" /etc/dnf/automatic.conf
  systemctl -q enable dnf-automatic.timer
}

set_up_cloudwatch_agent() {
  install -D -m 0644 "$WORK/files/amazon-cloudwatch-agent.json" "$SHARE/amazon-cloudwatch-agent.json"
  if [[ -x $CLOUDWATCH_AGENT ]]; then
    "$CLOUDWATCH_AGENT" -a fetch-config -m ec2 -c "file:$SHARE/amazon-cloudwatch-agent.json" >/dev/null
    systemctl -q enable amazon-cloudwatch-agent.service
  else
    say "no CloudWatch agent here; its configuration is in $SHARE"
  fi
}

wait_for_first_boot
if [[ $ONLINE == true ]]; then
  say "updates and packages ($FAMILY)"
  "install_$FAMILY"
else
  say "offline: the packages are those of the source image"
fi
"update_by_itself_$FAMILY"
set_up_cloudwatch_agent
