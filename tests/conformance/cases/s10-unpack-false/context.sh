echo 1 > one; tar -czf a.tar.gz one
