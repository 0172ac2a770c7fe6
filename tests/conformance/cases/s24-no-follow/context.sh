echo t > t; ln -s t l; ln -s nowhere lost; mkdir d; ln -s ../t d/in
