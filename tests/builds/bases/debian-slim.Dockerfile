FROM debian:bookworm AS full
RUN find /usr/share/doc -depth \( -type f -o -type l \) ! -name copyright -delete \
    && find /usr/share/doc -depth -type d -empty -delete \
    && rm -rf /usr/share/groff/* /usr/share/info/* /usr/share/linda/* /usr/share/lintian/* \
        /usr/share/man/* /usr/share/locale/* /var/cache/man/* \
    && printf 'path-exclude /usr/share/%s/*\n' doc groff info linda lintian man locale \
        >/etc/dpkg/dpkg.cfg.d/docker \
    && echo 'path-include /usr/share/doc/*/copyright' >>/etc/dpkg/dpkg.cfg.d/docker

FROM scratch
COPY --from=full / /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["bash"]
