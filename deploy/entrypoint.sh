#!/bin/sh
# Starts a command of `odontoflow` in the container. A setting may be given as a file: ODONTOFLOW_SMTP_URL_FILE=/run/secrets/smtp_url
# sets ODONTOFLOW_SMTP_URL, so that no secret stands in the container's description.
set -eu

for name in ODONTOFLOW_DATABASE_URL ODONTOFLOW_SMTP_URL \
    ODONTOFLOW_S3_ACCESS_KEY_ID ODONTOFLOW_S3_SECRET_ACCESS_KEY; do
    eval "file=\${${name}_FILE:-}"
    if [ -n "$file" ]; then
        if [ ! -r "$file" ]; then
            echo "${name}_FILE: $file cannot be read" >&2
            exit 2
        fi
        value="$(cat "$file")"
        export "$name=$value"
        unset "${name}_FILE"
    fi
done
exec python -P -m worker "$@"
