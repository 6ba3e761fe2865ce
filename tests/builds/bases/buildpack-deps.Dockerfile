# A shorter list of packages than that of the published image.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl wget gnupg netbase tzdata git \
        openssh-client procps autoconf automake bzip2 dpkg-dev file g++ gcc libbz2-dev libc6-dev \
        libcurl4-openssl-dev libffi-dev liblzma-dev libpq-dev libreadline-dev libsqlite3-dev \
        libssl-dev libtool libxml2-dev libyaml-dev make patch pkg-config python3 unzip xz-utils \
        zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
