# shellcheck shell=bash
# What the steps share: words for the bake's log, the distribution's family, where things are.

# Read by the steps, which is not seen from here.
# shellcheck disable=SC2034
{
  WORK=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
  HOME_OF_WORKER=/opt/s3-event-worker
  SETTINGS=/etc/s3-event-worker
  SHARE=/usr/share/s3-event-worker
  UNIT=s3-event-worker.service
  FAILED_UNIT=s3-event-worker-failed.service
  LOG_UNIT=s3-event-worker-log.service
}

say() { printf '[%s] %s\n' "$(basename "$0" .sh)" "$*"; }

die() {
  printf '[%s] FAILED: %s\n' "$(basename "$0" .sh)" "$*" >&2
  exit 1
}

# Every step says which line broke, and the bake ends there.
trap 'die "line $LINENO: $BASH_COMMAND (exit status $?)"' ERR
set -E

needs() { # needs NAME...: each has to be set
  local name
  for name in "$@"; do
    [[ -n ${!name:-} ]] || die "$name is not set; the template gives it"
  done
}

# debian (Ubuntu, Debian) or amazon (Amazon Linux 2023), as /etc/os-release has it; nothing else.
family() {
  local ID='' ID_LIKE='' VERSION_ID=''
  # shellcheck source=/dev/null
  . "${OS_RELEASE:-/etc/os-release}"
  case " $ID $ID_LIKE " in
    *" debian "* | *" ubuntu "*) echo debian ;;
    *" amzn "*) if [[ $VERSION_ID == 2023* ]]; then echo amazon; fi ;;
  esac
}

FAMILY=$(family)
[[ -n $FAMILY ]] || die "this distribution is not known; Ubuntu, Debian and Amazon Linux 2023 are"

has_unit() { systemctl cat "$1" >/dev/null 2>&1; }
