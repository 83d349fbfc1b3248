# syntax=docker/dockerfile:1
# One image for every process of an installation: api, worker and migrate differ by their command alone.

FROM node:24-bookworm-slim AS front-end
WORKDIR /build/ui/islands
COPY ui/islands/package.json ui/islands/package-lock.json ui/islands/.npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY ui/islands ./
COPY ui/static/js/words.js /build/ui/static/js/
RUN npm run build

FROM node:24-bookworm AS advanced-viewer
WORKDIR /build
COPY scripts/advanced_viewer.py scripts/
RUN python3 scripts/advanced_viewer.py npm

FROM python:3.11-slim-bookworm AS packages
COPY requirements/bootstrap.txt requirements/runtime.txt /requirements/
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --requirement /requirements/bootstrap.txt \
    && /opt/venv/bin/uv pip install --no-cache --python /opt/venv/bin/python --require-hashes --compile-bytecode \
        --requirement /requirements/runtime.txt \
    && /opt/venv/bin/pip uninstall --yes uv

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        fonts-dejavu-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 odontoflow \
    && useradd --uid 10001 --gid odontoflow --home-dir /data --no-create-home --shell /usr/sbin/nologin odontoflow \
    && install --directory --owner=odontoflow --group=odontoflow --mode=0700 /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY schemas schemas
COPY infra infra
COPY activities activities
COPY workflows workflows
COPY api api
COPY ui ui
COPY worker worker
COPY --from=front-end /build/ui/static/build ui/static/build
COPY --from=advanced-viewer /build/ui/ohif ui/ohif
COPY --chmod=0755 deploy/entrypoint.sh /usr/local/bin/entrypoint.sh
RUN rm -rf ui/islands \
    && /opt/venv/bin/python -m compileall -q schemas infra activities workflows api ui worker
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    ODONTOFLOW_MODE=production \
    ODONTOFLOW_HOME=/data \
    ODONTOFLOW_HOST=0.0.0.0
USER odontoflow
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["entrypoint.sh"]
CMD ["api"]
