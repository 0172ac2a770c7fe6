mkdir -p d/e 'st*r' star; echo 1 > d/f; echo 2 > star/no; echo 3 > 'st*r/yes'
chmod 0700 d; chmod 2775 d/e; chmod 1777 'st*r'
