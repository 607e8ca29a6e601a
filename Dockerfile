# The command `dropframe` with its laboratory, for containers and clusters: docs/SCALING.md.
#   docker build --tag dropframe .
#   docker run --rm --volume "$PWD/out:/data/out" dropframe lab run frontier
FROM node:20-bookworm-slim AS build
WORKDIR /source
COPY . .
# Compiles, too (`prepare`).
RUN npm ci
RUN mkdir /package && npm pack --pack-destination /package

FROM node:20-bookworm-slim
COPY --from=build /package /package
RUN npm install --global /package/*.tgz && rm -r /package
WORKDIR /data
ENTRYPOINT ["dropframe"]
