#!/usr/bin/env bash
# Sets this machine up for LimbStudio: system libraries, then the virtual environment in .venv.
#   resources/setup/setup.sh run     what the window, and drawing without a display, need
#   resources/setup/setup.sh test    the same, and a virtual display, pytest and the linters
# LIMBSTUDIO_PYTHON       the Python to use (3.11 or 3.12)
# LIMBSTUDIO_TORCH_INDEX  a package index to take PyTorch from, for example one with CPU builds
# LIMBSTUDIO_SKIP_SYSTEM  set to 1 to leave the system libraries alone
set -euo pipefail
cd "$(dirname "$0")/../.."
profile=${1:?run or test}

# A name with | is one library under two names: Ubuntu 24.04 renamed some for 64-bit time. The first one known is taken.
DRAWING="libgl1 libegl1 libgl1-mesa-dri libx11-6 libxext6 libxrender1 libxcursor1 libfontconfig1 fonts-dejavu-core"
WINDOW="libglib2.0-0t64|libglib2.0-0 libdbus-1-3 libxkbcommon-x11-0 libx11-xcb1 libxcb-cursor0 libxcb-icccm4
  libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-sync1 libxcb-xfixes0 libxcb-xkb1"
TEST="xvfb xauth openbox xdotool strace x11-utils x11-xkb-utils"

say() { printf '%s\n' "$*" >&2; }
stop() { say "$@"; exit 1; }

suits() { # a Python of a version we support that can make virtual environments
  "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1
}

find_python() {
  local candidate
  for candidate in ${LIMBSTUDIO_PYTHON:-python3 python3.12 python3.11 /usr/bin/python3}; do
    if command -v "$candidate" >/dev/null && suits "$candidate"; then command -v "$candidate"; return; fi
  done
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
is_known() { apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }

missing_packages() { # of the given names, those not installed, with every a|b resolved
  local entry name found
  for entry in "$@"; do
    found=
    for name in ${entry//|/ }; do
      if is_installed "$name"; then found=; continue 2; fi
      if [ -z "$found" ] && is_known "$name"; then found=$name; fi
    done
    echo "${found:-${entry##*|}}"
  done
}

install_system() {
  [ -z "${LIMBSTUDIO_SKIP_SYSTEM:-}" ] || return 0
  if ! command -v apt-get >/dev/null; then
    say "This is not Debian or Ubuntu, so system libraries were not checked. If drawing fails, install OpenGL, EGL" \
      "and X11 libraries (on Debian: ${*//|/ or })."
    return 0
  fi
  local missing=() as_root=()
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
      as_root=(sudo)
    else
      stop "These system packages are missing, and installing them needs root: ${missing[*]}." \
        "Ask an administrator to run: apt-get install --no-install-recommends ${missing[*]}" \
        "(or set LIMBSTUDIO_SKIP_SYSTEM=1 to go on without them)."
    fi
  fi
  say "Installing ${#missing[@]} system packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  mapfile -t missing < <(missing_packages "$@") # again: a fresh machine knew no package names before the update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
    >/dev/null || stop "apt-get could not install ${missing[*]}; its message stands above."
}

brings_cuda() { # would pip fetch a PyTorch that needs the CUDA packages?
  .venv/bin/pip install --dry-run --no-deps --quiet --report - "$1" 2>/dev/null |
    .venv/bin/python -c 'import json, sys
needs = json.load(sys.stdin)["install"][0]["metadata"].get("requires_dist", [])
sys.exit(not any(need.startswith(("nvidia", "cuda")) for need in needs))' 2>/dev/null
}

install_torch() {
  local pin
  pin=$(grep '^torch==' constraints.txt)
  if .venv/bin/python -c 'import sys; from importlib.metadata import version
sys.exit(version("torch").split("+")[0] != sys.argv[1])' "${pin#torch==}" 2>/dev/null; then return; fi
  if [ -n "${LIMBSTUDIO_TORCH_INDEX:-}" ]; then
    .venv/bin/pip install --quiet -c constraints.txt --index-url "$LIMBSTUDIO_TORCH_INDEX" "$pin"
    return
  fi
  if brings_cuda "$pin"; then
    say "PyTorch comes with CUDA here: about 3 GB to download. To have the much smaller CPU build, stop now (Ctrl+C)" \
      "and set LIMBSTUDIO_TORCH_INDEX to a package index that has CPU builds."
  fi
  .venv/bin/pip install --quiet -c constraints.txt "$pin"
}

install_python() {
  local python
  if ! { [ -x .venv/bin/pip ] && suits .venv/bin/python; }; then
    python=$(find_python)
    [ -n "$python" ] || stop "LimbStudio needs Python 3.11 or 3.12 with its venv module, and none was found." \
      "Install one and name it: LIMBSTUDIO_PYTHON=/path/to/python3.12 make run"
    say "Making a virtual environment in .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv
  fi
  say "Installing Python packages into .venv (the first time about 700 MB to download, a few minutes)"
  export PIP_DISABLE_PIP_VERSION_CHECK=1
  install_torch
  .venv/bin/pip install --quiet -c constraints.txt -e "$1"
}

case $profile in
  run) packages="$DRAWING $WINDOW" extras= ;;
  test) packages="$DRAWING $WINDOW $TEST" extras='[dev,bench,train]' ;;
  *) stop "Unknown profile $profile: use run or test." ;;
esac
[ -n "$(find_python)" ] || packages="python3 python3-venv $packages"
# shellcheck disable=SC2086 # one word per package
install_system $packages
install_python ".$extras"
touch ".venv/.ready-$profile"
