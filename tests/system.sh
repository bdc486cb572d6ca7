#!/bin/sh
# Installs the system packages that the tests drive, where they are missing and apt may be used.
# Without them the tests that need them are skipped, each with its reason.
set -u
missing=""
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
ldconfig -p 2>/dev/null | grep -q libEGL.so.1 || missing="$missing libegl1"
ldconfig -p 2>/dev/null | grep -q libGLESv2.so.2 || missing="$missing libgles2"
fc-list 2>/dev/null | grep -qi "noto.*cjk" || missing="$missing fonts-noto-cjk"
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
  echo "not installed:$missing (no apt here); the tests that need them are skipped"
  exit 0
fi
if [ "$(id -u)" = 0 ]; then as_root=""
elif sudo -n true 2>/dev/null; then as_root="sudo -n"
else
  echo "not installed:$missing; run 'sudo apt-get install$missing' to run the tests that need them"
  exit 0
fi
log=$(mktemp) || exit 0
echo "installing$missing"
{ $as_root apt-get update -q && $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends $missing; } >"$log" 2>&1 ||
  { echo "apt failed, see $log; the tests that need$missing are skipped"; tail -3 "$log"; exit 0; }
rm -f "$log"
exit 0
