echo plain > plain
