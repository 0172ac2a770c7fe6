FROM a
RUN apt-get update
