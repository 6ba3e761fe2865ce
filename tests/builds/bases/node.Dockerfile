ARG BASE
FROM $BASE
ARG VERSION
RUN groupadd --gid 1000 node \
    && useradd --uid 1000 --gid node --shell /bin/bash --create-home node \
    && cp /root/.npmrc /home/node/.npmrc
ENV NODE_VERSION=$VERSION
COPY node/ /usr/local/
ENV YARN_VERSION=1.22.22
COPY yarn/ /opt/yarn-v1.22.22/
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["node"]
