# Debian's PHP under the name of the published image's command line variant.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl php8.2-cli php8.2-sqlite3 \
    && rm -rf /var/lib/apt/lists/*
ENV PHP_VERSION=8.2
CMD ["php", "-a"]
