mkdir ../none; echo g > ../none/g
