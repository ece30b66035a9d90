# One image for every process. Alone it runs the whole console (`manage.py up`); docker-compose.yml runs the parts apart.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /vedetta

COPY requirements.txt ./
RUN pip install --requirement requirements.txt

COPY manage.py LICENSE THIRD_PARTY.md ./
COPY app app
COPY mqtt mqtt
COPY templates templates
COPY static static
COPY locale locale
RUN python -m compileall -q app mqtt \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin vedetta \
    && install --directory --mode=0700 --owner=vedetta /data

USER vedetta
ENV DATA_DIR=/data LAN=on
VOLUME /data
EXPOSE 8000 1883
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=5)"]
CMD ["python", "manage.py", "up"]
