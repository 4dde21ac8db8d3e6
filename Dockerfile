# One image for the web process and the workers; compose.yaml and docs/running.md say how it is started.

FROM node:22-trixie-slim AS page
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM python:3.12-slim-trixie AS wheel
WORKDIR /build
RUN pip install --no-cache-dir "setuptools>=70.1" wheel
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY maskwright maskwright
COPY webapp webapp
COPY segmentation segmentation
COPY --from=page /build/frontend/dist webapp/page
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels .

FROM python:3.12-slim-trixie
# `maskwright backup` and `restore` call pg_dump and pg_restore, which must not be older than the server in compose.yaml:
# Debian 13 (trixie) has those of Postgres 17. OpenCV loads libgl1 and libglib2.0.
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client libgl1 libglib2.0-0t64 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=wheel /wheels /wheels
COPY requirements.lock /wheels/
RUN pip install --no-cache-dir --constraint /wheels/requirements.lock "$(ls /wheels/*.whl)[team,s3,oidc]" && rm -r /wheels
RUN useradd --create-home --uid 10001 maskwright && mkdir /data && chown maskwright /data
USER maskwright
ENV MASKWRIGHT_HOME=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8710
CMD ["maskwright", "web"]
