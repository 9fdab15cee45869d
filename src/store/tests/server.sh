# A PostgreSQL server of its own for tests, as an unprivileged user; it ends, and its folder goes, when the standard input
# ends: whoever started this is gone then. Arguments: the folder of the programs, the port, a certificate and its key.
set -eu
bin=$1 port=$2 certificate=$3 key=$4
folder=$(mktemp -d)
as=
if [ "$(id -u)" = 0 ]; then
  chown nobody "$folder"
  as="setpriv --reuid=nobody --regid=nogroup --clear-groups"
fi
server=
trap 'test -z "$server" || { kill -QUIT "$server"; wait "$server" || :; }; rm -rf "$folder"' EXIT
cd "$folder"
$as "$bin/initdb" -D "$folder/data" -U segue -A trust -E UTF8 --locale=C --no-sync >&2
printf '%s' "$certificate" | $as tee "$folder/data/server.crt" >/dev/null
printf '%s' "$key" | $as sh -c 'umask 077; cat >"$1"' - "$folder/data/server.key"
# What it is told to have on disk need not be there: no test turns the machine off.
$as "$bin/postgres" -D "$folder/data" -p "$port" -k "$folder" -c listen_addresses=127.0.0.1 -c fsync=off \
  -c max_connections=300 -c ssl=on >&2 </dev/null &
server=$!
cat >/dev/null
