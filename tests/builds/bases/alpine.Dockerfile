# A stand-in: musl and busybox of Debian, without a package repository. Enough to show that what was
# linked against glibc does not run on it. Debian 12's musl is too old for the Node that comes above.
FROM debian:bookworm-slim AS packages
RUN apt-get update \
    && apt-get install -y --no-install-recommends busybox-static ca-certificates \
    && sed 's/bookworm/trixie/g' /etc/apt/sources.list.d/debian.sources >/etc/apt/sources.list.d/next.sources \
    && apt-get update \
    && cd /tmp \
    && apt-get download musl/trixie \
    && dpkg -x musl_*.deb /musl \
    && mkdir -p /image/bin /image/lib /image/usr/bin /image/etc/ssl/certs /image/tmp /image/root \
    && chmod 1777 /image/tmp \
    && cp /bin/busybox /image/bin/ \
    && for name in $(/bin/busybox --list); do \
        [ -e /image/bin/$name ] || ln -s /bin/busybox /image/bin/$name; \
    done \
    && ln -s /bin/busybox /image/usr/bin/env \
    && cp $(find /musl -name libc.so -type f) /image/lib/ld-musl-x86_64.so.1 \
    && ln -s ld-musl-x86_64.so.1 /image/lib/libc.musl-x86_64.so.1 \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && printf 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n' >/image/etc/passwd \
    && printf 'root:x:0:root\nnode:x:1000:\n' >/image/etc/group \
    && printf 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.0\n' >/image/etc/os-release

FROM scratch
COPY --from=packages /image/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["/bin/sh"]
