FROM --reset=envs a
FROM --reset= a
FROM --reset=env,env a
FROM --reset=xyz,expose a
FROM --reset a
