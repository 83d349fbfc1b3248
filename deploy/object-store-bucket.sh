#!/bin/sh
# Makes the bucket of the files, once.
set -eu

buckets() {
    echo "$1" | weed shell -master=objects:9333 -filer=objects:8888
}

if ! buckets s3.bucket.list | grep -q "^ *odontoflow[[:space:]]"; then
    buckets "s3.bucket.create -name odontoflow"
fi
