#!/usr/bin/env bash
# A Docker Engine of our own, where none is installed and no registry can be reached: Debian 12, as root.
#
#   tests/compose/engine.sh install   Docker Engine from Debian, Compose v2 and buildx out of two packages of Debian trixie
#   tests/compose/engine.sh start     dockerd under $BED, which touches nothing of a Docker that is there already
#   tests/compose/engine.sh stop      by the pid that it wrote
#   tests/compose/engine.sh env       what a shell needs to use it:  eval "$(tests/compose/engine.sh env)"
#
# Everything may be called again: what is done already is left as it is.
set -euo pipefail

BED=${HALAB_COMPOSE_BED:-/var/tmp/halab-compose-bed}
export DOCKER_HOST="unix://$BED/docker.sock" DOCKER_CONFIG="$BED/client"
PLUGINS=$DOCKER_CONFIG/cli-plugins

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }

fail() { # what was found, what to do next
  printf '%s\n  %s\n' "$1" "$2" >&2
  exit 1
}

install_engine() {
  [ "$(id -u)" = 0 ] || fail "Expected to be root: only root can start a Docker Engine." "Use a Docker that is there, or run this as root."
  local missing=()
  type dockerd &>/dev/null || missing+=(docker.io)
  type debootstrap &>/dev/null || missing+=(debootstrap)
  type mvn &>/dev/null || missing+=(maven) # fetches Kafka
  if [ ${#missing[@]} -gt 0 ]; then
    say "${missing[*]} from Debian"
    # Debian starts a service when it installs one; this keeps it from that. Ours is started by hand.
    [ -e /usr/sbin/policy-rc.d ] || install -m 755 /dev/stdin /usr/sbin/policy-rc.d <<<$'#!/bin/sh\nexit 101'
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  fi
  [ -x "$PLUGINS/docker-compose" ] && [ -x "$PLUGINS/docker-buildx" ] && return
  say "Compose v2 and buildx from Debian trixie's packages"
  # Bookworm's own docker-compose is 1.29 and knows neither "name:" nor "pull_policy:". These are single binaries that need
  # libc6 alone, so they are unpacked and not installed; apt's own state is left untouched.
  local apt=$BED/apt
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs" "$PLUGINS"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) trixie main" >"$apt/sources.list"
  local private=(-o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o "Dir::Etc::SourceList=$apt/sources.list"
    -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
    -o APT::Sandbox::User=root)
  apt-get "${private[@]}" update -qq
  (cd "$apt/debs" && apt-get "${private[@]}" download -qq docker-compose docker-buildx)
  local package
  for package in "$apt"/debs/*.deb; do dpkg -x "$package" "$apt/unpacked"; done
  find "$apt/unpacked" -path '*cli-plugins/*' -type f -exec install -m 755 -t "$PLUGINS" {} +
  rm -rf "$apt"
}

mirror() { # the archive this machine uses already
  { sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/*.sources; awk '$1 == "deb" {for (i = 2; i <= NF; i++) if ($i ~ /^http/) print $i}' /etc/apt/sources.list; } 2>/dev/null |
    grep -m1 '/debian/*$'
}

answers() { docker version >/dev/null 2>&1; }

start_engine() {
  answers && return
  say "dockerd under $BED"
  mkdir -p "$BED"
  cat >"$BED/daemon.json" <<JSON
{
  "data-root": "$BED/data",
  "exec-root": "$BED/run",
  "pidfile": "$BED/docker.pid",
  "hosts": ["$DOCKER_HOST"],
  "storage-driver": "overlay2",
  "exec-opts": ["native.cgroupdriver=cgroupfs"],
  "default-ulimits": {"nofile": {"Name": "nofile", "Hard": $(ulimit -Hn), "Soft": $(ulimit -Hn)}}
}
JSON
  setsid dockerd --config-file "$BED/daemon.json" >"$BED/dockerd.log" 2>&1 </dev/null &
  local try
  for try in $(seq 100); do
    answers && return
    sleep 0.2
  done
  fail "dockerd did not answer within 20 s; its last words: $(tail -n 3 "$BED/dockerd.log")" "Read $BED/dockerd.log."
}

stop_engine() {
  [ -s "$BED/docker.pid" ] || return 0
  local pid try
  pid=$(<"$BED/docker.pid")
  kill "$pid" 2>/dev/null || return 0
  for try in $(seq 150); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.2
  done
  fail "dockerd ($pid) is still there 30 s after it was told to stop." "Read $BED/dockerd.log."
}

case ${1:-} in
  install) install_engine ;;
  start) start_engine ;;
  stop) stop_engine ;;
  env) echo "export DOCKER_HOST='$DOCKER_HOST' DOCKER_CONFIG='$DOCKER_CONFIG'" ;;
  *) fail "Expected one of install, start, stop, env; found '${1:-}'." "See the top of $0." ;;
esac
