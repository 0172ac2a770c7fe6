mkdir -p ../more/d; echo more > ../more/f; echo d > ../more/d/g
