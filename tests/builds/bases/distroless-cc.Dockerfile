# The files of Debian's packages that the image holds: C libraries, certificates, no shell.
FROM debian:bookworm-slim AS packages
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libgcc-s1 libssl3 libstdc++6 tzdata \
    && mkdir -p /image/etc/ssl/certs /image/usr/share /image/tmp /image/root /image/home/nonroot \
    && chmod 1777 /image/tmp \
    && for package in libc6 libgcc-s1 libssl3 libstdc++6; do \
        dpkg -L $package | grep -E '\.so(\.[0-9]+)*$' | grep -v /gconv/ ; \
    done | tar -C / -cf - -T - | tar -C /image -xf - \
    && cp -a /usr/share/zoneinfo /image/usr/share/ \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && printf 'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >/image/etc/passwd \
    && printf 'root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n' >/image/etc/group \
    && cp /etc/os-release /image/etc/

FROM scratch
COPY --from=packages /image/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 0
WORKDIR /
