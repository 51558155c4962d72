#!/usr/bin/env bash
# Runs a command on a virtual display of its own with a window manager: windows get focus and the size they ask for.
#   resources/setup/on-screen.sh COMMAND ...
set -euo pipefail
if [ "${1:-}" = --inside ]; then
  shift
  openbox >/dev/null 2>&1 &
  manager=$!
  trap 'kill "$manager" 2>/dev/null || true' EXIT
  "$@"
else
  export LIBGL_ALWAYS_SOFTWARE=1 # the same pixels on every machine
  unset WAYLAND_DISPLAY
  exec xvfb-run -a -s "-screen 0 1600x1000x24" "$0" --inside "$@"
fi
