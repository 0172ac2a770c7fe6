printf canary-value-1 > ../secret
