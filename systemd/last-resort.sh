#!/bin/sh
# Installed as /usr/share/s3-event-worker/last-resort.sh. s3-event-worker-failed.service runs it as root, with the
# file that holds how `worker give-up` ended. 0: it has decided; 3: AWS could not be asked. Anything else: Python or
# the virtual environment is damaged, and nobody is left here who could ask Auto Scaling for another instance.
# But Auto Scaling replaces one that is off at once. The rules are give-up's own: in a group, in service, an hour old.
set -eu

METADATA=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}/latest
YOUNGEST_SECONDS=3600

stay() {
  echo "worker give-up is broken itself (status $status); the instance stays: $*"
  exit 0
}

ask() { curl -fsS -m 5 -H "X-aws-ec2-metadata-token: $token" "$METADATA/$1" 2>/dev/null; }

[ -r "$1" ] || exit 0
read -r status <"$1"
case $status in 0 | 3) exit 0 ;; esac

token=$(curl -fsS -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$METADATA/api/token" 2>/dev/null) \
  || stay "the metadata service does not answer"
state=$(ask meta-data/autoscaling/target-lifecycle-state) || stay "it is in no Auto Scaling group that could replace it"
[ "$state" = InService ] || stay "its group has it as $state, not as InService"
launched=$(ask dynamic/instance-identity/document | sed -n 's/.*"pendingTime" *: *"\([^"]*\)".*/\1/p')
since=$(date -d "${launched:-unknown}" +%s 2>/dev/null) || stay "nobody says when it was launched"
minutes=$((($(date +%s) - since) / 60))
[ "$minutes" -ge $((YOUNGEST_SECONDS / 60)) ] || stay "it is $minutes minutes old"

echo "worker give-up is broken itself (status $status): the instance powers off, and its group replaces it"
systemctl poweroff
