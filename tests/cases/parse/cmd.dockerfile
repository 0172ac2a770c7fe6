FROM a
CMD ["a", "b"]
CMD []
CMD echo $x
ENTRYPOINT ["a"]
ENTRYPOINT []
ENTRYPOINT exec x
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
