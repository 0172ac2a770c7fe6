printf 'FROM localhost/base\nCOPY <<EOF /x\na\nEOF \n EOF\nEOFX\nEOF\n'
