# Read by MySQL's own first start, after it has made the database and account of OdontoFlow: the same for Temporal.
# shellcheck shell=bash
temporal_password="$(cat /run/secrets/temporal_database_password)"
docker_process_sql --database=mysql <<SQL
CREATE DATABASE temporal CHARACTER SET utf8mb4;
CREATE DATABASE temporal_visibility CHARACTER SET utf8mb4;
CREATE USER 'temporal'@'%' IDENTIFIED BY '${temporal_password}';
GRANT ALL PRIVILEGES ON temporal.* TO 'temporal'@'%';
GRANT ALL PRIVILEGES ON temporal_visibility.* TO 'temporal'@'%';
SQL
