# What is installed: three programs (two of them beside the data, out of PATH), the data files, documentation; and the Debian
# package that CPack makes of it.
if(TARGET xbuild)
  install(TARGETS xbuild RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(TARGETS xbuild-supply xbuild-wrap RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/xbuild)
endif()
install(DIRECTORY toolchains sysroots images DESTINATION ${CMAKE_INSTALL_DATADIR}/xbuild
  FILES_MATCHING PATTERN "*.yaml" PATTERN "*.gpg" PATTERN "*.asc")
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright) # Debian Policy 12.5
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs FILES_MATCHING PATTERN "*.md" PATTERN "*.svg")
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR}
  FILES_MATCHING PATTERN "*.yaml" PATTERN "*.c" PATTERN "*.cc" PATTERN "*.h" PATTERN "*.md" PATTERN "*.S"
  PATTERN ".xbuild" EXCLUDE PATTERN "out" EXCLUDE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME xbuild)
set(CPACK_PACKAGE_CONTACT "The xbuild authors <maintainers@xbuild.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, git")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS qemu-user)
include(CPack)
