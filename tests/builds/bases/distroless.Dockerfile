# The idea of distroless/static, of Debian's files: no shell, no libc, no package manager.
FROM debian:bookworm-slim AS packages
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates tzdata netbase \
    && mkdir -p /image/etc/ssl/certs /image/usr/share /image/home/nonroot /image/root /image/tmp \
    && chmod 1777 /image/tmp \
    && chmod 700 /image/root /image/home/nonroot \
    && chown 65532:65532 /image/home/nonroot \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && cp -a /usr/share/zoneinfo /image/usr/share/ \
    && cp /etc/os-release /etc/protocols /etc/services /image/etc/ \
    && printf 'hosts: files dns\n' >/image/etc/nsswitch.conf \
    && printf 'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >/image/etc/passwd \
    && printf 'root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n' >/image/etc/group

FROM scratch
COPY --from=packages /image/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 0
WORKDIR /
