# The image of bot, worker and migration. It writes nowhere but to /tmp, and runs read-only.

FROM python:3.13-slim-trixie AS build
WORKDIR /src
# Every file is checked against the lock here; what follows installs from these files alone, and
# of them only what the product needs at run time.
COPY requirements.lock .
RUN pip download --quiet --disable-pip-version-check --only-binary :all: \
      --require-hashes --requirement requirements.lock --dest /wheels
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY engine engine
COPY sandbox sandbox
COPY storage storage
COPY worker worker
RUN python -m venv --without-pip /opt/dripline \
 && pip --python /opt/dripline/bin/python install --quiet --disable-pip-version-check \
      --no-index --find-links /wheels .

FROM python:3.13-slim-trixie
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin dripline
COPY --from=build /opt/dripline /opt/dripline
ENV PATH=/opt/dripline/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health/live', timeout=2)"]
ENTRYPOINT ["dripline"]
CMD ["bot", "--config", "/etc/dripline/dripline.toml"]
