FROM a
RUN apt-get update
apt-get install x
  && apt-get clean
-y
