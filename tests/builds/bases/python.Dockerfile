ARG BASE
FROM $BASE
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates netbase tzdata libssl3 libffi8 \
        libsqlite3-0 libreadline8 libncursesw6 libbz2-1.0 liblzma5 libuuid1 libexpat1 libnsl2 zlib1g \
    && rm -rf /var/lib/apt/lists/*
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV LANG=C.UTF-8
ARG VERSION
ENV PYTHON_VERSION=$VERSION
COPY python/ /usr/local/
# Programs on requests (Poetry) know no other place for the machine's certificates.
RUN ldconfig \
    && echo 'import os; os.environ.setdefault("REQUESTS_CA_BUNDLE", "/usr/local/share/builds/ca-bundle.pem")' \
        > "$(echo /usr/local/lib/python3.*/site-packages)/machine.pth" \
    && python3 -m ensurepip --default-pip >/dev/null 2>&1 \
    && { [ -e /usr/local/bin/pip ] || ln -s pip3 /usr/local/bin/pip; } \
    && find /usr/local -name __pycache__ -prune -exec rm -rf {} + \
    && python3 -c 'import ssl, sqlite3, ctypes, lzma, bz2, readline, uuid, zlib, curses'
CMD ["python3"]
