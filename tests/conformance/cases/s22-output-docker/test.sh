b -o type=docker,dest=out.tar
skopeo inspect --config docker-archive:out.tar > o 2>&1 || { fail skopeo; cat o; }
mkdir t; tar -C t -xf out.tar
c=$(jq -r '.[0].Config' t/manifest.json)
jq -e '.config.Healthcheck.Test == ["CMD-SHELL", "true"] and .config.OnBuild == ["RUN true"] and .config.Shell == ["/bin/sh", "-ec"]' "t/$c" > o || { fail config; cat "t/$c"; }
jq -e '.[0].RepoTags | length == 1' t/manifest.json > o || fail "RepoTags"
