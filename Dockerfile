# Two stages: the first builds wheels, the second only installs them, offline, for a user who owns nothing but the home.
FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY channels channels
COPY hub hub
COPY routing routing
COPY storage storage
COPY webforms webforms
RUN pip wheel --wheel-dir /wheels .

FROM python:3.12-slim-bookworm
RUN groupadd --gid 10001 touchline \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/touchline --shell /usr/sbin/nologin touchline \
 && install --directory --owner=10001 --group=10001 --mode=0750 /var/lib/touchline
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-index --no-cache-dir --disable-pip-version-check --find-links=/wheels touchline
ENV PYTHONUNBUFFERED=1 \
    TOUCHLINE_HOME=/var/lib/touchline \
    TOUCHLINE_LISTEN=0.0.0.0:8080 \
    TOUCHLINE_PROBES=0.0.0.0:8080 \
    TOUCHLINE_LOG_FORMAT=json
USER 10001:10001
WORKDIR /var/lib/touchline
VOLUME /var/lib/touchline
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["touchline"]
CMD ["run"]
