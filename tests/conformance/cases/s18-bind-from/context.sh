mkdir -p ../more; echo more > ../more/x
