b --os linux --arch arm64 --variant v8
config | jq -e '.os == "linux" and .architecture == "arm64"' > o || { fail "arm64"; config; }
b --platform linux/arm/v7
config | jq -e '.architecture == "arm" and .variant == "v7"' > o || { fail "arm/v7"; config; }
