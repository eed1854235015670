# Writes a C file that holds the files of some folders: the installed program needs none of them.
#
# usage: cmake -D FOLDERS="...;..." -D OUTPUT=... -P embed.cmake
set(files "")
foreach(folder IN LISTS FOLDERS)
    file(GLOB more ${folder}/*.html ${folder}/*.css ${folder}/*.js)
    list(APPEND files ${more})
endforeach()
set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS files)
    get_filename_component(name ${file} NAME)
    file(READ ${file} hex HEX)
    string(REGEX REPLACE "(................................................................)" "\\1\n" hex "${hex}")      # lines that an editor can open
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(APPEND arrays "static const unsigned char file_${number}[] = {\n${bytes}\n0};\n")
    string(APPEND rows "    { \"${name}\", file_${number}, sizeof file_${number} - 1 },\n")
    math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUTPUT} "/* Made by embed.cmake. */\n#include \"page_files.h\"\n\n${arrays}
const PageFile page_files[] = {\n${rows}};\nconst int page_file_count = ${number};\n")
