#!/bin/sh
# Writes both lock files from pyproject.toml; give .venv/bin as the argument.
set -eu
compile="$1/pip-compile -q --strip-extras --allow-unsafe --no-header --no-annotate
  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options"
runtime=$(mktemp) dev=$(mktemp)
$compile -o "$runtime" pyproject.toml
$compile --extra dev -c "$runtime" -o "$dev" pyproject.toml
# On Linux the CPU build of PyTorch, whose version bears a suffix; elsewhere there is one build.
cpu='torch==\1+cpu ; sys_platform == "linux"\ntorch==\1 ; sys_platform != "linux"'
{
  echo "# What runs Facenorm. Written by 'make lock'; resolved on Linux with Python 3.11."
  grep -E '^[a-z]' "$runtime" | sed -E "s/^torch==([0-9.]+).*/$cpu/"
} > requirements.lock
{
  echo "# What tests Facenorm, on top of requirements.lock. Written by 'make lock'."
  echo "-r requirements.lock"
  grep -E "^[a-z]" "$dev" | grep -vE "^(pip|wheel)==" | grep -vxFf "$runtime"
} > requirements-dev.lock
rm -f "$runtime" "$dev"
