#!/bin/sh
# Brings Temporal's two databases to the version of this image. Every start runs it; what is there already stays.
set -eu

SQL_PASSWORD="$(cat /run/secrets/temporal_database_password)"
export SQL_PASSWORD
schema=/etc/temporal/schema/mysql/v8

tool() {
    temporal-sql-tool --plugin mysql8 --ep db --port 3306 --user temporal "$@"
}

for part in temporal visibility; do
    database=temporal
    [ "$part" = visibility ] && database=temporal_visibility
    # Without --overwrite this refuses where a version table exists, which is every start but the first.
    tool --db "$database" setup-schema --version 0.0 || echo "$database has a schema; it is updated where needed"
    tool --db "$database" update-schema --schema-dir "$schema/$part/versioned"
done
