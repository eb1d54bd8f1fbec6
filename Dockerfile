# One image for every process; the command decides which one it is (brokeros/processes.py).
FROM python:3.12-slim-bookworm AS packages
COPY requirements.lock /tmp/requirements.lock
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /tmp/requirements.lock

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/brokeros --create-home brokeros
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/brokeros
COPY manage.py pyproject.toml ./
COPY brokeros brokeros
COPY apps apps
COPY templates templates
COPY static static
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=1 \
    DJANGO_SETTINGS_MODULE=brokeros.settings.production \
    BROKEROS_HOME=/var/lib/brokeros \
    STATIC_ROOT=/srv/brokeros/collected
# Collecting needs settings, not servers; none of these values stays in the image.
RUN SECRET_KEY=build-only DATABASE_URL=postgresql://none/none REDIS_URL=redis://none \
    BROKEROS_SIGNING_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA \
    PUBLIC_URL=https://none.example ALLOWED_HOSTS=none.example \
    BROKEROS_KEK=build:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    BROKEROS_INDEX_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
    python manage.py collectstatic --no-input --verbosity 0
USER brokeros
VOLUME /var/lib/brokeros
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "brokeros.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--no-access-log", "--lifespan", "off", "--log-level", "warning"]
