# Debian packages, and how they are installed. Sourced by quickstart and scripts/test; defines functions only.

BUILD_PACKAGES="build-essential pkg-config libyaml-dev libpcre2-dev libcurl4-openssl-dev libprotobuf-c-dev protobuf-c-compiler \
libjansson-dev libev-dev libnghttp2-dev libssl-dev libhttp-parser-dev zlib1g-dev libdeflate-dev libzstd-dev libsnappy-dev \
liblz4-dev libbz2-dev libsystemd-dev libmaxminddb-dev libcrypt-dev curl ca-certificates"
TEST_PACKAGES="libcmocka-dev tzdata rsyslog logrotate bsdutils nginx-light openssl nghttp2-client graphviz git zsh fish systemd-journal-remote prometheus-node-exporter prometheus prometheus-process-exporter prometheus-blackbox-exporter"
# For the tests of the pages; they are skipped by name without it.
BROWSER_PACKAGES="chromium"
# Only when this machine's python3 is Debian's own; another one brings its modules by pip (see scripts/test).
PYTHON_PACKAGES="python3 python3-venv"

# What a build needs: its tables are made by a script (scripts/foreign.py), for which any python3 will do.
build_packages() {
    echo "$BUILD_PACKAGES"
    command -v python3 >/dev/null || echo python3
}

missing_packages() {
    local p
    for p in "$@"; do
        dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q '^install ok installed$' || printf '%s ' "$p"
    done
}

# Installs what is missing: as root, through sudo without a question, or prints the one command and fails.
install_packages() {
    local missing run=""
    missing=$(missing_packages "$@")
    [ -z "$missing" ] && return 0
    if ! command -v apt-get >/dev/null; then
        echo "These Debian packages (or your system's equivalents) are needed: $missing" >&2
        return 1
    fi
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
            run="sudo"
        else
            echo "Some packages are missing. Run this once, then start again:" >&2
            echo "    sudo apt-get install -y --no-install-recommends $missing" >&2
            return 1
        fi
    fi
    echo "installing: $missing"
    # A package list that is already fresh enough is not fetched again; a failed update only matters if the installation fails.
    $run env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null 2>&1 || true
    # Runlevel 1: services that come along (a test starts its own) are not started on this machine.
    # shellcheck disable=SC2086
    $run env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
