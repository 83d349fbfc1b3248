#!/bin/sh
# Waits until Temporal answers, then makes the namespace with its retention and the search attributes, where missing.
set -eu

# The address rather than the name: gRPC's own look-up does not always agree with the container network's.
TEMPORAL_ADDRESS="$(getent ahosts temporal | awk 'NR == 1 { print $1 }'):7233"
export TEMPORAL_ADDRESS
until temporal operator cluster health >/dev/null 2>&1; do
    echo "waiting for Temporal"
    sleep 2
done
if temporal operator namespace describe --namespace "$NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace update --namespace "$NAMESPACE" --retention "${RETENTION_DAYS}d"
else
    temporal operator namespace create --namespace "$NAMESPACE" --retention "${RETENTION_DAYS}d"
fi
for attribute in CaseState=Keyword CasePriority=Keyword SlaDueAt=Datetime PracticeId=Keyword RadiologistId=Keyword; do
    # Adding an attribute that exists is refused, or does nothing; a namespace that was made a moment ago may not be known yet.
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        temporal operator search-attribute list --namespace "$NAMESPACE" 2>/dev/null | grep -qw "${attribute%%=*}" && break
        temporal operator search-attribute create --namespace "$NAMESPACE" --name "${attribute%%=*}" --type "${attribute##*=}" ||
            sleep "$attempt"
    done
    temporal operator search-attribute list --namespace "$NAMESPACE" | grep -qw "${attribute%%=*}"
done
echo "namespace $NAMESPACE is ready"
