printf 'FROM localhost/base\nCOPY <<E /empty\nE\nCOPY <<W /crlf\r\na\r\nb\r\nW\r\n'
