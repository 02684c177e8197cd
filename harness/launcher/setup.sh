# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# The part of ./pmvx that changes something: Debian packages (bring_packages), Node and the modules (bring_modules).
# Sourced by it, with its names: root, arch, node, stamp, wanted, yes, missing, say, die.
logs=$root/.pmvx/logs
bootstrap=$root/.pmvx/bootstrap
boot_node=$bootstrap/node_modules/node-linux-$arch/bin/node

# make_folder DIR
make_folder() {
  local words
  words=$(mkdir -p -- "$1" 2>&1 && : 2>&1 >>"$1/.writable" && rm -f -- "$1/.writable") ||
    die 3 "$1: cannot be written (${words##*: }). pmvx keeps Node and its modules in its own folder; make that writable, or clone it elsewhere."
}

# The last line of LOG that matches PATTERN, shortened to one line of text.
last_line() { grep -E -- "$2" "$1" 2>/dev/null | tail -n 1 | cut -c 1-200; }

# ---- Debian packages

# bring_packages: installs what `missing` names, after saying what and why and asking; ends where that cannot be.
bring_packages() {
  local need program package why packages=() words=()
  for need in "${missing[@]}"; do
    IFS='|' read -r program package why <<<"$need"
    words+=("${program##*/} ($why)")
    [[ " ${packages[*]} " == *" $package "* ]] || packages+=("$package")
  done
  local list as=() install="apt-get install --no-install-recommends ${packages[*]}"
  printf -v list '%s, ' "${words[@]}"
  list=${list%, }

  if ! is_here apt-get; then
    die 3 "not on this machine: $list. pmvx installs with apt, on Debian 12 and 13; bring the like of ${packages[*]} by this system's own means."
  fi
  if ((EUID != 0)); then
    if ! is_here sudo; then
      die 3 "not on this machine: $list. Installing needs root: ask for \`$install\`."
    fi
    as=(sudo)
  fi
  if [[ -z $yes && ${CI:-} != true && ${CI:-} != 1 ]]; then
    if [[ ! -t 0 || ! -t 2 ]]; then
      die 3 "not on this machine: $list. Run \`${as[*]}${as[*]:+ }$install\`, or give --yes to have that done."
    fi
    say 'not on this machine:'
    printf '  %s\n' "${words[@]}" >&2
    local answer=''
    read -r -p "Run \`${as[*]}${as[*]:+ }$install\`? [y/N] " answer
    if [[ ! $answer =~ ^[Yy]([Ee][Ss])?$ ]]; then
      die 3 "nothing was installed. When you want it: \`${as[*]}${as[*]:+ }$install\`."
    fi
  else
    say "not on this machine: $list. Running \`${as[*]}${as[*]:+ }$install\`."
  fi
  make_folder "$logs"
  # Where nobody can type a password, sudo must not wait for one.
  [[ ${#as[@]} == 0 || -t 0 ]] || as+=(--non-interactive)
  apt_install "${packages[@]}"
  find_missing "${missing[@]}"
  ((${#missing[@]} == 0)) ||
    die 3 "apt-get has installed ${packages[*]}, and ${missing[0]%%|*} is still not there. Is there another package of that name? See $logs/apt.log."
}

# Uses `as` and `install` of its caller.
apt_install() {
  local fault
  : >"$logs/apt.log"
  # A fresh container has no lists, an old machine stale ones: only then are they fetched.
  if apt-cache show "$@" >/dev/null 2>&1 && as_root install --yes --no-install-recommends "$@"; then return; fi
  fault=$(last_line "$logs/apt.log" '^sudo: |sudoers')
  [[ -z $fault ]] || die 3 "not allowed to install ($fault). Ask for \`$install\`."
  as_root update && as_root install --yes --no-install-recommends "$@" && return
  fault=$(last_line "$logs/apt.log" '^E: |^sudo: |sudoers')
  die 3 "apt-get failed: ${fault:-no reason given}. The whole log is $logs/apt.log. Check the network and apt's sources, then repeat."
}

as_root() {
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
    apt-get -o DPkg::Lock::Timeout=300 "$@" >>"$logs/apt.log" 2>&1 </dev/null
}

# ---- Node and the modules

# Leaves node_modules as package-lock.json asks, stamped, and the lock shared.
bring_modules() {
  make_folder "$root/.pmvx"
  make_folder "$logs"
  exec 9<>"$root/.pmvx/lock"
  # The other one keeps a share of the lock when it is done setting up, and that is enough for both.
  local waited=''
  until flock --timeout 1 9; do
    [[ -n $waited ]] || say 'waiting: another pmvx is setting up, or is running with the modules that have to change'
    waited=1
    if is_current && flock --shared --nonblock 9 && is_current; then return; fi
  done
  trap 'die 130 stopped' INT
  trap 'die 143 stopped' TERM
  if ! is_current; then
    # What `npm ci` by hand has left, which takes the stamp away, is as good, if it is whole.
    if [[ ! -e $stamp && -x $node ]] && check_modules >/dev/null 2>&1; then
      write_stamp
    else
      install_modules
    fi
  fi
  trap - INT TERM
  flock --shared 9
}

install_modules() {
  require_space
  make_folder "$root/node_modules"
  rm -f -- "$stamp"
  bring_bootstrap
  say "installing the modules of package-lock.json (when it has changed, and the first time)"
  # npm leaves optional modules out, and says nothing, when the Node that runs it is too old for them.
  npm_ci "$root" "$boot_node" "$bootstrap/node_modules/npm/bin/npm-cli.js"
  check_modules >"$logs/missing-modules.log" 2>&1 ||
    die 3 "npm has left out what package-lock.json names: $(head -n 1 "$logs/missing-modules.log"). See $logs/missing-modules.log and npm's configuration, then repeat."
  write_stamp
}

# The pinned Node and npm, installed by whatever npm the system has.
bring_bootstrap() {
  local source=$root/harness/launcher/bootstrap mark=$bootstrap/complete digest written='' words
  digest=$(sha256sum <"$source/package-lock.json")
  digest="${digest%% *} $HOSTTYPE"
  [[ -r $mark ]] && read -r written <"$mark"
  [[ $written == "$digest" && -x $boot_node ]] && return
  if ! is_here node || ! is_here npm; then
    find_missing "${first_needs[@]}"
    bring_packages
  fi
  say 'bringing Node 24 (once)'
  rm -rf -- "$bootstrap"
  make_folder "$bootstrap"
  cp -- "$source"/*.json "$bootstrap"
  [[ ! -e $root/.npmrc ]] || cp -- "$root/.npmrc" "$bootstrap"
  npm_ci "$bootstrap" npm
  words=$("$boot_node" --version 2>&1) ||
    die 3 "Node for linux-$arch does not run on this system: ${words##*$'\n'}. It needs glibc 2.28 or later."
  printf '%s\n' "$digest" >"$mark"
}

# npm_ci FOLDER NPM...: what a user's configuration would leave out comes too; the rest of it holds.
npm_ci() {
  local folder=$1 path=$PATH log=$logs/npm.log
  shift
  [[ $1 == npm ]] || path=${1%/*}:$PATH
  # A container's user without a home has no place for npm's cache.
  [[ -w ${HOME:-/nonexistent} ]] || export npm_config_cache=$root/.pmvx/npm-cache
  (cd -- "$folder" && PATH=$path "$@" ci --include=dev --include=optional --include=peer \
    --engine-strict=false --no-audit --no-fund --no-progress --loglevel=error --no-update-notifier) >"$log" 2>&1 </dev/null && return
  die 3 "npm ci failed: $(npm_fault "$log"). The whole log is $log."
}

# What LOG says about the cause, and what to do.
npm_fault() {
  local code fault
  if grep -q ENOSPC "$1"; then
    echo "the disk is full; free about 1 GB below $root, then repeat"
  elif code=$(grep -oE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT' "$1"); then
    echo "the package registry cannot be reached (${code%%$'\n'*}); check the network and npm's registry and proxy settings, then repeat"
  elif code=$(grep -oE '[A-Z_]*CERT[A-Z_]+|UNABLE_TO_VERIFY_LEAF_SIGNATURE' "$1"); then
    echo "the certificate of the package registry is not trusted (${code%%$'\n'*}); name your network's own authority with NODE_EXTRA_CA_CERTS or npm's cafile, then repeat"
  elif grep -q EINTEGRITY "$1"; then
    echo "a package is not the one that package-lock.json names (EINTEGRITY); run \`npm cache verify\`, check npm's registry setting, then repeat"
  elif code=$(grep -oE 'EROFS|EACCES|EPERM' "$1"); then
    echo "a folder cannot be written (${code%%$'\n'*}): $(last_line "$1" '^npm (error|ERR!) path')"
  else
    fault=$(grep -E '^npm (error|ERR!) ' "$1" | grep -vE '^npm (error|ERR!) (code|errno|A complete|   )' | head -n 1)
    echo "${fault:-no reason given}"
  fi
}

check_modules() { "$node" "$root/harness/launcher/check-modules.ts" "$root"; }

write_stamp() {
  printf '%s\n' "$wanted" >"$stamp.new" && mv -f -- "$stamp.new" "$stamp" && return
  die 3 "$stamp: cannot be written. Is the disk full?"
}

# Half a gigabyte of modules and a Node: better known before than after.
require_space() {
  local free=''
  [[ ! -d $root/node_modules ]] || return 0
  { read -r _ && read -r _ _ _ free _; } < <(df -Pk -- "$root" 2>/dev/null)
  [[ ! $free =~ ^[0-9]+$ ]] || ((free >= 1000000)) ||
    die 3 "$root: $((free / 1024)) MB are free, and Node with its modules takes about 1000. Free some, then repeat."
}
