FROM a
HEALTHCHECK NONE
HEALTHCHECK none
HEALTHCHECK CMD curl -f http://x || exit 1
HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=1h --start-interval=2s --retries=3 cmd ["a", "b"]
HEALTHCHECK --interval=0s --retries=0 CMD x
