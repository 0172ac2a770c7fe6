echo t > target; ln -s target link; mkdir d; ln -s ../target d/inner; ln -s nowhere d/dangling; ln -s d linkdir; ln -s /target abs
